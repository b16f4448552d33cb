# s-nail with no configuration but what is said here.
echo hi | s-nail -:/ ${VERBOSE:+-v -v} -Sv15-compat -Smta="smtp://$1:$2" -Ssmtp-use-starttls -Ssmtp-auth=none \
    -Ssmtp-hostname=example.org -Shostname=client.example -Sfrom=a@example.org -Stls-ca-file="$3" \
    -Ssendwait -s survey b@example.org
