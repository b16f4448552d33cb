"""The rules as a conformance test: cases for clients and for servers, each played and recorded."""
