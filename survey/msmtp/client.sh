# msmtp with no configuration but what is said here.
exec msmtp --file=/dev/null --host="$1" --port="$2" --tls=on --tls-starttls=on \
    --tls-trust-file="$3" --domain=client.example --timeout=10 \
    --from=a@example.org b@example.org <message.txt
