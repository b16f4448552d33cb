# The program that nullmailer-send runs for each message: envelope, empty line, message, on fd 3.
{ printf 'a@example.org\nb@example.org\n\n'; cat message.txt; } >"$TMPDIR/queued"
exec env HELOHOST=client.example /usr/lib/nullmailer/smtp --host="$1" --port="$2" --starttls \
    --x509cafile="$3" </dev/null 3<"$TMPDIR/queued"
