import socket
import ssl


class Refused(Exception):
    pass


def send(host, port, server_name, authority, my_name, sender, recipient, text):
    connection = socket.create_connection((host, port), timeout=5)
    replies = connection.makefile("rb")

    def read(code):
        lines = []
        while True:
            line = replies.readline()
            if not line:
                raise Refused("gone")
            lines.append(line[4:].strip().decode())
            if line[3:4] != b"-":
                break
        if int(line[:3]) != code:
            raise Refused(line)
        return lines

    def ask(line, code):
        connection.sendall(line.encode() + b"\r\n")
        return read(code)

    read(220)
    offered = [line.split(" ")[0].upper() for line in ask(f"EHLO {my_name}", 250)[1:]]
    if "STARTTLS" not in offered:
        ask("QUIT", 221)
        return
    ask("STARTTLS", 220)
    context = ssl.create_default_context(cafile=authority)
    connection = context.wrap_socket(connection, server_hostname=server_name)
    replies = connection.makefile("rb")
    ask(f"EHLO {my_name}", 250)
    ask(f"MAIL FROM:<{sender}>", 250)
    ask(f"RCPT TO:<{recipient}>", 250)
    ask("DATA", 354)
    stuffed = "".join(
        "." + line if line.startswith(".") else line for line in text.splitlines(True)
    )
    ask(stuffed + ".", 250)
    ask("QUIT", 221)
