package cli

import (
	"io"

	"github.com/mdp/qrterminal/v3"
	"rsc.io/qr"
)

// PrintQR prints a QR code of text, two rows a line, with the quiet zone that
// cameras need.
func PrintQR(w io.Writer, text string) {
	qrterminal.GenerateWithConfig(text, qrterminal.Config{
		Level: qr.L, Writer: w, HalfBlocks: true, QuietZone: 2,
		BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
	})
}
