"""IP addresses in the one form in which they are compared."""

from ipaddress import IPv6Address, ip_address


def plain_address(text: str) -> str:
    """An address as everyone here writes it; a ValueError says that it is none.

    A socket for both versions of IP shows clients of version 4 by addresses of
    version 6 that hold theirs: those are the same addresses.

    >>> plain_address("2001:DB8:0::1"), plain_address("::ffff:127.0.0.1")
    ('2001:db8::1', '127.0.0.1')
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)
