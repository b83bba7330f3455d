// Package statefile keeps small private files: keys, grants, peers. A file is either as it was or
// as it was meant to be, whatever happens in between, and nobody but its owner reads it.
//
// [Write] replaces a file in five steps:
//
//  1. make a temporary file with mode 0600 in the same directory, so that step 4 stays on one file system;
//  2. write it whole;
//  3. fsync it, so that the name never points at blocks that are not on the disk;
//  4. rename it over the old one, which is atomic (rename(2));
//  5. fsync the directory, so that the rename itself outlives a power cut.
//
// A failure before step 4 leaves the old file as it was and no temporary one. Writers of the same file do not
// disturb each other: the last one to rename wins, and the file is whole at any time. After a
// crash between steps 1 and 4 a file .NAME.tmp-* is left over; it is private too, and safe to remove.
//
// [Read] refuses a file that others may use, and what is no file, without waiting for it. [ParseJSON] is
// for files that hold JSON. [Lock] keeps a second program out of a directory.
//
// Errors wrap those of the operating system and say how to mend what they report.
package statefile
