"""What is drawn: texts of all planes, numbers of every spelling, times of every
form, JSON written in every legal way, and ways to spoil it."""
import json
import random
import struct

LETTERS = "abcdefghijklmnopqrstuvwxyz"
PIECES = [
    "", " ", "  ", "\t", "\n", "\r\n", "\u000b", "\u000c", "\u0000", "\u0001", "\u001b[31m", "\u001f", "\u007f", "\u0080", "\u0085", "\u00a0", "\u00ad",
    '"', "\\", "/", "'", "`", "```", "```json\n", "{", "}", "[", "]", "{}", "[]", ":", ",", "<", ">", "&", "</script>", "%s", "$1", "\\u0041", "\\n",
    "é", "e\u0301", "ß", "İ", "ı", "ſ", "K", "Å", "Å", "ﬁ", "ǆ", "Σ", "ς", "你好", "日本", "ｶﾞ", "한국", "العربية", "עברית", "हिन्दी", "ไทย", "⭐",
    "\u200b", "\u200d", "\u200e", "\u2028", "\u2029", "\ufeff", "\ufffd", "\uffff", "\ufdd0", "\ud7ff", "\ue000", "\U00010000", "\U0001f600",
    "\U0001f468\u200d\U0001f469", "\U000e0041", "\U000fffff", "\U0010ffff", "١٢٣", "１２", "²", "Ⅷ", "½",
]
WORDS = "the fill shift Toledo OH Welder forklift operator in of C++ C# Aurora, IL: worker name night pay rate José René Müller Łódź O'Neil".split()
INTEGERS = [
    "0", "-0", "1", "2", "3", "7", "10", "42", "100", "120000", "1048576", "2147483647", "2147483648", "-2147483649", "4294967296", "9007199254740991", "9007199254740992",
    "9007199254740993", "-9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", "99999999999999999999", "100000000000000000000", "1000000000000000000000", "123456789012345678901234567890", "1" + "0" * 60, "9" * 308,
]
FLOATS = [
    "0.0", "-0.0", "1.0", "1.50", "0.1", "0.30000000000000004", "1e0", "1E0", "1e+0", "1e-0", "1e00", "0e5", "0E-400", "1e1", "1e21", "1e20", "1e-6", "1e-7", "123e-20",
    "4.35", "2.50", "100.000", "5e-324", "4.9e-324", "2.4e-324", "2.5e-324", "1e-400", "2.2250738585072014e-308", "2.2250738585072011e-308", "1.7976931348623157e308",
    "1.7976931348623158e308", "9007199254740993.0", "0.000001", "0.0000001", "123456789.123456789", "1.0000000000000002", "333333333.33333329", "1e23", "9.5e-3",
    "0." + "0" * 30 + "1", "1" + "0" * 21 + ".5", "12e-1", "-1e-7", "-1.5E+3",
]


class Raw(str):
    """JSON as it is."""


class Draw(random.Random):
    """Everything that a generator asks for; the same seed draws the same."""

    def one(self, *of):
        return self.choice(of)

    def often(self, share):
        return self.random() < share

    def rune(self):
        while True:
            c = self.choice([0x80, 0x100, 0x800, 0x3000, 0x10000, 0x110000])
            c = self.randrange(c)
            if not 0xd800 <= c < 0xe000:
                return chr(c)

    def piece(self):
        kind = self.random()
        if kind < 0.45:
            return self.choice(WORDS)
        if kind < 0.8:
            return self.choice(PIECES)
        if kind < 0.9:
            return self.rune()
        return self.choice(LETTERS)

    def text(self, most=8):
        return self.choice(["", " "]).join(self.piece() for _ in range(self.randint(0, most)))

    def word(self):
        return self.choice(WORDS) if self.often(0.7) else self.text(2) or "x"

    def number(self):
        kind = self.random()
        if kind < 0.3:
            return Raw(self.choice(INTEGERS))
        if kind < 0.6:
            return Raw(self.choice(FLOATS))
        if kind < 0.7:
            return Raw(str(self.randint(-10**self.randint(1, 25), 10**self.randint(1, 25))))
        if kind < 0.85:
            d = struct.unpack("<d", self.randbytes(8))[0]
            return Raw(repr(d) if d == d and abs(d) != float("inf") else "0")
        out = self.one("", "-") + str(self.randint(0, 10**self.randint(0, 20)))
        if self.often(0.6):
            out += "." + "".join(self.choices("0123456789", k=self.randint(1, 22)))
        if self.often(0.5):
            out += self.one("e", "E") + self.one("", "+", "-") + str(self.randint(0, 30))
        return Raw(out)

    def value(self, depth=3):
        kind = self.random()
        if kind < 0.3 or depth == 0:
            return self.text()
        if kind < 0.55:
            return self.number()
        if kind < 0.7:
            return self.one(None, True, False)
        if kind < 0.85:
            return [self.value(depth - 1) for _ in range(self.randint(0, 3))]
        return {self.word(): self.value(depth - 1) for _ in range(self.randint(0, 3))}

    def odd(self):
        """What nobody expects in a member."""
        return self.choice([None, True, False, "", " ", "\t\n", [], {}, [[]], [None], [""], {"a": 1}, "null", "0", "text", Raw("0"), Raw("-1"), Raw("1.5"), Raw("1.0"), Raw("1e0")])

    # ---- times ----

    def time(self):
        """An RFC 3339 time of some form."""
        month = self.randint(1, 12)
        year = self.one(2026, 2026, 2024, 2023, 2000, 1900, 1970, 1, 9999, 1969)
        days = [31, 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        out = "%04d-%02d-%02d" % (year, month, self.one(1, days, self.randint(1, days)))
        out += self.one("T", "T", "T", "t") + "%02d:%02d:%02d" % (self.one(0, 23, self.randint(0, 23)), self.one(0, 59, self.randint(0, 59)), self.randint(0, 59))
        if self.often(0.5):
            out += "." + "".join(self.choices("0123456789", k=self.one(1, 3, 6, 9, 9, 12, 30)))
        return out + self.one("Z", "Z", "Z", "z", "+00:00", "-00:00", "+05:30", "-23:59", "+%02d:%02d" % (self.randint(0, 23), self.randint(0, 59)))

    def no_time(self):
        """A time that one mark spoils."""
        made = self.time()
        at = self.randrange(len(made))
        return self.one(
            made[:at] + made[at + 1:], made[:at] + self.one("0", "9", "-", ":", " ", "Z", "٣", "x") + made[at + 1:], made + self.one(" ", "Z", "0", "\n"),
            " " + made, made.upper().replace("T", " "), made[:10], made[:19], made[:5] + "13" + made[7:], made[:8] + "32" + made[10:], made[:11] + "24" + made[13:],
            made[:17] + "61" + made[19:])

    # ---- JSON in every spelling ----

    def string(self, text):
        style = self.random()
        if style < 0.6:
            return json.dumps(text, ensure_ascii=style < 0.1)
        out = '"'
        for c in text:
            must = c in '"\\' or c < " "
            how = self.random()
            if how < 0.25 and ord(c) < 0x10000:
                out += ("\\u%04x" if how < 0.12 else "\\u%04X") % ord(c)
            elif how < 0.25:
                pair = c.encode("utf-16-be").hex()
                out += "\\u" + pair[:4] + "\\u" + pair[4:]
            elif c == "/" and how < 0.6:
                out += "\\/"
            elif must:
                out += json.dumps(c)[1:-1]
            else:
                out += c
        return out + '"'

    def space(self, loose):
        return self.choice(["", "", " ", "\t", "  ", "\r" if loose > 0.9 else " "]) if loose > 0.5 else ""

    def dump(self, value, loose=None):
        if loose is None:
            loose = self.random()
        gap = self.space
        if isinstance(value, Raw):
            return str(value)
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, dict):
            return "{" + gap(loose) + ("," + gap(loose)).join(
                self.string(k) + gap(loose) + ":" + gap(loose) + self.dump(v, loose) for k, v in value.items()) + gap(loose) + "}"
        if isinstance(value, list):
            return "[" + gap(loose) + ("," + gap(loose)).join(self.dump(v, loose) for v in value) + gap(loose) + "]"
        return json.dumps(value)

    # ---- and spoilt ----

    def near(self, key):
        """A key that is almost that one."""
        return self.one(key.upper(), key.capitalize(), key + " ", " " + key, key + "\u0000", key[:-1], key + "s", key.replace("_", "-"), key.replace("e", "é"), "_" + key)

    def mutate(self, value):
        """The value with something else at one of its places."""
        places = []

        def walk(v):
            if isinstance(v, (dict, list)):
                for k in (v if isinstance(v, dict) else range(len(v))):
                    places.append((v, k))
                    walk(v[k])
        walk(value)
        if not places:
            return value
        holder, key = self.choice(places)
        how = self.random()
        if how < 0.35:
            holder[key] = self.one(self.odd, self.odd, self.number, self.text, self.value)()
        elif how < 0.5:
            del holder[key]
        elif how < 0.65 and isinstance(holder, dict):
            holder[self.near(key)] = holder[key]
            if self.often(0.5):
                del holder[key]
        elif how < 0.75 and isinstance(holder[key], str) and not isinstance(holder[key], Raw):
            at = self.randint(0, len(holder[key]))
            holder[key] = holder[key][:at] + self.piece() + holder[key][at:]
        elif how < 0.85 and isinstance(holder, dict):
            names = list(holder)
            self.shuffle(names)
            held = {name: holder[name] for name in names}
            holder.clear()
            holder.update(held)
        elif isinstance(holder, list):
            holder.insert(self.randint(0, len(holder)), self.one(holder[key], self.value()))
        else:
            holder[self.word()] = self.value()
        return value

    def spoil(self, data):
        """Bytes with a few of them lost, doubled, swapped or others."""
        for _ in range(self.one(1, 1, 1, 2, 3)):
            at = self.randrange(len(data) + 1)
            end = at + self.one(1, 1, 1, 2, 5, 20)
            data = self.one(
                data[:at] + data[end:], data[:at] + data[at:end] * 2 + data[end:], data[:at],
                data[:at] + self.one(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b".", b"e", b" ", b"\t", b"\r", b"\0", b"\x7f", b"u", b"`") + data[at:],
                data[:at] + self.one(b"\\ud800", b"\\udc00", b"\\ud83d\\ude00", b"\\u0000", b"\\x", b"\\'", b"NaN", b"//", b"\x0b", b"\xc2\xa0", b"\xef\xbb\xbf",
                                     b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82") + data[at:])
        return data

    def doubled(self, text):
        """An object's text with one of its keys twice, maybe in other letters."""
        at = [i for i, c in enumerate(text) if c in "{,"]
        i = self.choice(at)
        key = self.one('"a"', '"\\u0061"', '"kind"', '"text"', '"ts"')
        return text[:i + 1] + key + ":1," + text[i + 1:i + 1] + key + ":2" + ("" if text[i + 1:].lstrip().startswith("}") else ",") + text[i + 1:]
