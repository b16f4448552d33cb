// go-smtp with a certificate, otherwise as it comes; takes every message, and keeps none.
package main

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"os"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

type backend struct{}
type session struct{}

func (backend) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{}, nil }

func (*session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (*session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, password string) error {
		if name != "u" || password != "p" {
			return errors.New("no")
		}
		return nil
	}), nil
}

func (*session) Mail(string, *smtp.MailOptions) error { return nil }
func (*session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (*session) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
func (*session) Reset()        {}
func (*session) Logout() error { return nil }

func main() {
	pair, err := tls.LoadX509KeyPair(os.Getenv("CERT"), os.Getenv("KEY"))
	if err != nil {
		log.Fatal(err)
	}
	server := smtp.NewServer(backend{})
	server.Addr = "127.0.0.1:" + os.Getenv("PORT")
	server.Domain = "mail.example.test"
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	log.Fatal(server.ListenAndServe())
}
