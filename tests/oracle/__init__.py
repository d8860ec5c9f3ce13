"""xterm.js as the judge: what a stream of bytes must look like, asked of the terminal that the browser runs."""
