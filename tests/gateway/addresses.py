"""Addresses for webhooks, good and bad, by what is the matter with them."""

from __future__ import annotations

GOOD: dict[str, tuple[str, str, int, str]] = {
    # address: scheme, host, port, target
    "https://merchant.com": ("https", "merchant.com", 443, "/"),
    "https://merchant.com/": ("https", "merchant.com", 443, "/"),
    "https://merchant.com/hooks": ("https", "merchant.com", 443, "/hooks"),
    "https://merchant.com/hooks?a=1&b=%20": ("https", "merchant.com", 443, "/hooks?a=1&b=%20"),
    "https://merchant.com?a=1": ("https", "merchant.com", 443, "/?a=1"),
    "https://merchant.com:443/x": ("https", "merchant.com", 443, "/x"),
    "HTTPS://Merchant.COM/Hooks": ("https", "merchant.com", 443, "/Hooks"),
    "https://pay.shop.co.ug/a/b/c": ("https", "pay.shop.co.ug", 443, "/a/b/c"),
    "https://r3---sn-4g5.merchant.com/x": ("https", "r3---sn-4g5.merchant.com", 443, "/x"),
    "https://1.merchant.com/": ("https", "1.merchant.com", 443, "/"),
    "https://0x7f.merchant.com/": ("https", "0x7f.merchant.com", 443, "/"),
    "https://merchant.com/@someone": ("https", "merchant.com", 443, "/@someone"),
    "https://merchant.com/http://10.0.0.1/": ("https", "merchant.com", 443, "/http://10.0.0.1/"),
    "https://bücher.com/": ("https", "xn--bcher-kva.com", 443, "/"),
    "https://BÜCHER.com/": ("https", "xn--bcher-kva.com", 443, "/"),
    "https://xn--bcher-kva.com/": ("https", "xn--bcher-kva.com", 443, "/"),
    "https://mer\u00adchant.com/": ("https", "merchant.com", 443, "/"),
    "https://merchant。com/": ("https", "merchant.com", 443, "/"),
    "https://8.8.8.8/": ("https", "8.8.8.8", 443, "/"),
    "https://168.63.129.15/": ("https", "168.63.129.15", 443, "/"),
    "https://172.32.0.1/": ("https", "172.32.0.1", 443, "/"),
    "https://100.128.0.1/": ("https", "100.128.0.1", 443, "/"),
    "https://[2606:4700:4700::1111]/": ("https", "2606:4700:4700::1111", 443, "/"),
    "https://[2606:4700:4700:0:0:0:0:1111]/": ("https", "2606:4700:4700::1111", 443, "/"),
    "https://[64:ff9b::808:808]/": ("https", "64:ff9b::808:808", 443, "/"),
}

_NOT_HTTPS = (
    "http://merchant.com/", "http://merchant.com:443/", "ftp://merchant.com/", "file:///etc/passwd",
    "gopher://merchant.com/", "ws://merchant.com/", "javascript://merchant.com/", "//merchant.com/",
    "merchant.com", "https:merchant.com", "https:/merchant.com/", "https:///merchant.com/",
    "https//merchant.com", "", "https", "https://", "data:text/plain,x", "unix:///var/run/x.sock",
)  # fmt: skip

_TRICKS = (
    "https://user@merchant.com/", "https://user:word@merchant.com/", "https://@merchant.com/",
    "https://merchant.com@10.0.0.1/", "https://10.0.0.1#@merchant.com/", "https://merchant.com#x",
    "https://merchant.com\\@10.0.0.1/", "https:\\\\10.0.0.1\\", "https://merchant.com\\x",
    " https://merchant.com/", "https://merchant.com/ ", "https://merchant.com/a b",
    "https://mer\tchant.com/", "https://merchant.com/\r\nX-Evil: 1", "https://merchant.com/\x00",
    "https://merchant.com/é", "https://merchant.com/\x7f", "https://mer chant.com/",
    "https://%31%32%37.0.0.1/", "https://merchant.com%00.evil.com/", "https://merchant%2ecom/",
    "https://merchant.com/" + "a" * 2100,
)  # fmt: skip

_PORTS = (
    "https://merchant.com:80/", "https://merchant.com:22/", "https://merchant.com:8443/",
    "https://merchant.com:0/", "https://merchant.com:65536/", "https://merchant.com:99999/",
    "https://merchant.com:/", "https://merchant.com:0443/", "https://merchant.com:443443/",
    "https://merchant.com:-443/", "https://merchant.com:+443/", "https://merchant.com:443:443/",
    "https://merchant.com:https/", "https://merchant.com:４４３/",
)  # fmt: skip

_NAMES = (
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/",
    "https://router/", "https://db.internal/", "https://metadata.google.internal/",
    "https://printer.local/", "https://server.lan/", "https://box.home.arpa/", "https://x.corp/",
    "https://localhost.localdomain/", "https://x.onion/", "https://x.test/", "https://x.invalid/",
    "https://merchant..com/", "https://.merchant.com/", "https://merchant.com./", "https://./",
    "https://-merchant.com/", "https://merchant-.com/", "https://mer_chant.com/",
    "https://*.com/", "https://" + "a" * 64 + ".com/", "https://" + "a." * 127 + "com/",
    "https://xn--zzzzzzzz9999.com/", "https://xn--.com/", "https://ｌｏｃａｌｈｏｓｔ/", "https://☃️.local/",
    "https://$IFS.merchant.com/", "https://merchant.com,10.0.0.1/",
)  # fmt: skip

_SPELLINGS = (
    "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://0x7f000001/",
    "https://0x7f.0x0.0x0.0x1/", "https://0x7f.1/", "https://017700000001/", "https://0177.0.0.1/",
    "https://0177.0.0.01/", "https://127.0.0.01/", "https://127.0.0.1./", "https://0/",
    "https://0x/", "https://00000000/", "https://4294967295/", "https://8.8.8/",
    "https://8.8.2056/", "https://010.8.8.8/", "https://256.1.1.1/", "https://1.2.3.4.5/",
    "https://１２７.０.０.１/", "https://127。0。0。1/", "https://①②⑦.⓪.⓪.①/",
    "https://169.254.43518/", "https://0xa9fea9fe/", "https://2852039166/", "https://0251.0376.0251.0376/",
)  # fmt: skip

_ADDRESSES_V4 = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.254",
    "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "168.63.129.16",
)  # fmt: skip

_ADDRESSES_V6 = (
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1", "2001::1",
    "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1", "febf::1",
    "fec0::1", "ff02::1", "ff0e::1", "4000::1",
)  # fmt: skip

_BRACKETS = (
    "https://[]/", "https://[::1/", "https://::1/", "https://[fe80::1%25eth0]/", "https://[v1.x]/",
    "https://[fe80::1%eth0]/", "https://[::1]evil.com/", "https://[8.8.8.8]/", "https://[:::1]/",
    "https://[2606:4700:4700::1111]x/", "https://[merchant.com]/",
)  # fmt: skip

BAD: tuple[str, ...] = (
    *_NOT_HTTPS,
    *_TRICKS,
    *_PORTS,
    *_NAMES,
    *_SPELLINGS,
    *(f"https://{address}/" for address in _ADDRESSES_V4),
    *(f"https://[{address}]/" for address in _ADDRESSES_V6),
    *_BRACKETS,
)

NOT_PUBLIC: tuple[str, ...] = (*_ADDRESSES_V4, *_ADDRESSES_V6, "fe80::1%eth0")
