"""The lab that stays up: SMTP ports with policies, and a page that explains who connects."""
