def offers_starttls(reply: bytes) -> bool:
    keywords = [line[4:].split(b" ")[0].upper() for line in reply.split(b"\r\n")[1:] if line]
    return b"STARTTLS" in keywords
