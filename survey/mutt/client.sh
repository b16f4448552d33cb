# mutt in batch mode, with no configuration but what is said here.
cat >"$TMPDIR/muttrc" <<END
set smtp_url = "smtp://$1:$2/"
set ssl_starttls = yes
set ssl_force_tls = yes
set ssl_ca_certificates_file = "$3"
set from = a@example.org
set hostname = client.example
set record = ""
END
echo hi | mutt ${VERBOSE:+-d 3} -n -F "$TMPDIR/muttrc" -s survey b@example.org
