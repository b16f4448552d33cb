cat >"$TMPDIR/ssmtp.conf" <<END
mailhub=$1:$2
UseSTARTTLS=YES
TLS_CA_File=$3
hostname=client.example
FromLineOverride=YES
END
exec ssmtp ${VERBOSE:+-v} -C "$TMPDIR/ssmtp.conf" -f a@example.org b@example.org <message.txt
