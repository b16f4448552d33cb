# post, which send runs, with a mail folder made for it.
mkdir -p "$HOME/Mail"
printf 'Path: Mail\nlocalname: client.example\n' >"$HOME/.mh_profile"
cp message.txt "$TMPDIR/draft"
exec /usr/bin/mh/send -server "$1" -port "$2" -tls -mts smtp ${VERBOSE:+-snoop} "$TMPDIR/draft"
