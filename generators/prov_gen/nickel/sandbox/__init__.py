"""The program that runs inside the sandbox. Its modules import the standard library only (and `nickel` when it starts).

The server imports `landlock` to ask what the kernel can do, and `frames` to talk; it never loads Nickel.
"""
