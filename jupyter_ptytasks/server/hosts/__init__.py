"""The server's side of the ptyhosts: a link to each of them, and somebody who keeps all links."""
