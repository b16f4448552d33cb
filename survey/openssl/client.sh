# What somebody types who does not think of the second EHLO.
for line in 'MAIL FROM:<a@example.org>' 'rcpt TO:<b@example.org>' 'DATA' 'hi' '.' 'QUIT'; do
    sleep 0.5
    printf '%s\r\n' "$line"
done | timeout 12 openssl s_client -starttls smtp -name client.example -connect "$1:$2" \
    -CAfile "$3" -quiet -no_ign_eof
