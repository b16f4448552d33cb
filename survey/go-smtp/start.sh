# go-smtp's server, built from Debian's source packages alone.
set -e
export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$WORK/go" HOME="$WORK"
go build -o "$WORK/server" server.go
exec "$WORK/server"
