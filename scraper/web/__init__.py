"""One bounded GET, redirects followed, to a `Reply` value.

Knows sockets, TLS, proxies, names and addresses. Must not know photos, classes or the manifest; the only package that
talks to the net. Gives `client.Client`.
"""
