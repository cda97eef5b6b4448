"""Filters, as lh-search(1) describes them, over rows of places, pay and skills.

    filters.py rows N             N rows with vectors, as lh-index build reads them
    filters.py queries N          N queries with a filter each, which ask for all rows
    filters.py check ROWS ANSWERS compare the answers with what each row says itself
"""
import json
import math
import random
import sys

EARTH_KM, MILE_KM = 6371.0088, 1.609344
LATITUDES = [90, -90, 0, 89.9, -89.9, 41.88, 41.9, 52.1, -16.5, -17]
LONGITUDES = [180, -180, 179.9, -179.9, 0, 360, 190, -87.63, -87.6, 5.1]


def a_place(draw):
    near = draw.random() < .6
    return (draw.choice(LATITUDES), draw.choice(LONGITUDES)) if near else \
        (round(draw.uniform(-90, 90), 3), round(draw.uniform(-180, 180), 3))


def rows(n):
    draw = random.Random(7)
    for i in range(n):
        lat, lon = a_place(draw)
        meta = {"pay": draw.choice([18, 20, 20.0, 25, 29.99, 30, 31, "25"]),
                "state": draw.choice(["IL", "IN", "OH", None]),
                "skills": draw.sample(["mig", "tig", "cnc", "press"], draw.randrange(4)),
                "not": draw.choice(["a", "b"]), "any": draw.choice(["x", "y"]), "within": draw.choice([5, 6])}
        lat_name, lon_name = draw.choice([("lat", "lon"), ("latitude", "longitude"), ("lat", "lon"), ("y", "x")])
        meta.update({lat_name: lat, lon_name: lon})
        meta["site"] = draw.choice([{"lat": lat, "lon": lon}, f"{lat},{lon}", f" {lat} , {lon}", [f"{lat},{lon}", "0,0"],
                                    "Gary", 5, {"lat": str(lat), "lon": lon}])
        for key in list(meta):
            if draw.random() < .1:
                del meta[key]
        yield {"id": f"r{i}", "vector": [draw.random(), draw.random(), 1], "metadata": meta}


def a_circle(draw):
    lat, lon = a_place(draw)
    return {"lat": lat, "lon": lon, draw.choice(["miles", "km"]): draw.choice([0, 5, 25, 700, 3000, 12000, 20100])}


def a_filter(draw, depth=0):
    leaf = [lambda: {"pay": {"gte": draw.choice([18, 20]), "lt": draw.choice([25, 30])}},
            lambda: {"pay": draw.choice([20, [25, "25"], {"not": {"gt": 20}}])},
            lambda: {"state": draw.choice(["IL", ["IN", None], {"not": "OH"}, {"exists": False}])},
            lambda: {"skills": draw.choice(["mig", ["tig", "cnc"], {"not": ["mig"]}])},
            lambda: {"within": a_circle(draw)},
            lambda: {"site": {"within": a_circle(draw)}},
            lambda: {"site": {"not": {"within": a_circle(draw)}}},
            lambda: {"not": draw.choice(["a", ["a", "b"]])},
            lambda: {"any": draw.choice(["x", ["x"], ["y", 1]])},
            lambda: {"within": draw.choice([5, [5, 6], {"gt": 5}])}]
    inner = [lambda: {"not": a_filter(draw, depth + 1)},
             lambda: {"any": [a_filter(draw, depth + 1) for _ in range(draw.randrange(4))]},
             lambda: {"or": [a_filter(draw, depth + 1)], "not": a_filter(draw, depth + 1)},
             lambda: {"and": [a_filter(draw, depth + 1), a_filter(draw, depth + 1)]}]
    made = draw.choice(leaf + (inner * 2 if depth < 3 else []))()
    if draw.random() < .3:
        made = {**draw.choice(leaf)(), **made}
    return made


def queries(n):
    draw = random.Random(11)
    for _ in range(n):
        yield {"vector": [.5, .5, 1], "k": 10000, "metadata_filter": a_filter(draw)}


def apart_km(a, b):
    """By the haversine, or by the antipode's where that is nearer."""
    def half(a, b):
        (lat, lon), (lat2, lon2) = [[math.radians(x) for x in place] for place in (a, b)]
        h = math.sin((lat - lat2) / 2) ** 2 + math.cos(lat) * math.cos(lat2) * math.sin((lon - lon2) / 2) ** 2
        return 2 * math.asin(min(1, math.sqrt(h)))
    angle = half(a, b)
    return EARTH_KM * (angle if angle < math.pi / 2 else math.pi - half(a, (-b[0], b[1] + 180)))


def is_number(x):
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def in_circle(circle, lat, lon):
    limit = circle["km"] if "km" in circle else circle["miles"] * MILE_KM
    # what is as far as the limit but for the last digits of this sine is in it
    return is_number(lat) and is_number(lon) and apart_km((circle["lat"], circle["lon"]), (lat, lon)) <= limit + 1e-9


def place_in(circle, value):
    if isinstance(value, dict):
        return in_circle(circle, value.get("lat"), value.get("lon"))
    try:
        lat, lon = map(float, value.split(","))
    except (AttributeError, ValueError):
        return False
    return in_circle(circle, lat, lon)


def same(a, b):
    return type(a) is type(b) and a == b or is_number(a) and is_number(b) and a == b


def each(value):
    return [value] + value if isinstance(value, list) else [value]


def holds(condition, there, value):
    if not isinstance(condition, dict):
        wanted = condition if isinstance(condition, list) else [condition]
        return there and any(same(x, y) for x in each(value) for y in wanted)
    if condition.get("exists", there) != there or "not" in condition and holds(condition["not"], there, value):
        return False
    bounds = {"lt": lambda x, y: x < y, "lte": lambda x, y: x <= y, "gt": lambda x, y: x > y, "gte": lambda x, y: x >= y}
    bounds = [(test, condition[name]) for name, test in bounds.items() if name in condition]
    if not bounds and "within" not in condition:
        return True
    return there and any(all(is_number(x) and test(x, y) for test, y in bounds) and
                         ("within" not in condition or place_in(condition["within"], x)) for x in each(value))


def matches(wanted, meta):
    for key, value in wanted.items():
        if key in ("or", "and", "any") and isinstance(value, list) and all(isinstance(x, dict) for x in value):
            good = (all if key == "and" else any)(matches(x, meta) for x in value)
        elif key == "not" and isinstance(value, dict):
            good = not matches(value, meta)
        elif key == "within" and isinstance(value, dict) and "lat" in value:
            good = in_circle(value, meta.get("lat", meta.get("latitude")), meta.get("lon", meta.get("longitude")))
        else:
            good = holds(value, key in meta, meta.get(key))
        if not good:
            return False
    return True


def check(rows_file, answers):
    have = [json.loads(line) for line in open(rows_file)]
    found = 0
    for n, line in enumerate(open(answers)):
        answer = json.loads(line)
        wanted = {row["id"] for row in have if matches(answer["metadata_filter"], row["metadata"])}
        got = {hit["id"] for hit in answer["results"]}
        assert got == wanted, (n, answer["metadata_filter"], got - wanted, wanted - got)
        assert answer["metadata_filter_dropped"] == len(have) - len(wanted)
        found += 0 < len(wanted) < len(have)
    print(n + 1, "answers,", found, "with a part of the rows")


if __name__ == "__main__":
    if sys.argv[1] == "check":
        check(*sys.argv[2:])
    else:
        for record in {"rows": rows, "queries": queries}[sys.argv[1]](int(sys.argv[2])):
            print(json.dumps(record))
