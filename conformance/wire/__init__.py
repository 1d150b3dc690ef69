"""The wire: byte-exact HTTP/1.1 on plain sockets. Only ``client`` knows a socket; ``answers`` knows only bytes."""
