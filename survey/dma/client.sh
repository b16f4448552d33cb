# What is deferred is dropped: each session is a message of its own.
cat >/etc/dma/dma.conf <<END
SMARTHOST $1
PORT $2
SECURETRANSFER
STARTTLS
MAILNAME client.example
END
rm -f /var/spool/dma/*
exec dma -D -f a@example.org b@example.org <message.txt
