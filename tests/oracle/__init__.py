"""xterm.js, the terminal that the browser runs, as the reference for what a stream of bytes must look like."""
