package wire

// Login asks the relay where accounts come from. The answer is [Issuer], or an
// [Error] with CodeNoAccounts.
type Login struct{}

// Type returns TypeLogin.
func (*Login) Type() Type { return TypeLogin }

func (*Login) walk(*fields) {}
