//go:build cgo

package lockdown

// otherBuild is how this binary was not built.
const otherBuild = "cgo=0"
