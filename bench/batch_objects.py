"""Objects as the sink leaves them, in the shape of the source's rows: lengths, placeholders, shares. Shared by benches."""
import json
import random

CATEGORIES = ("christmas art tattoos mens-fashion quotes travel home-decor diy-and-crafts event-planning finance beauty "
              "education vehicles").split()
WORDS = ("best easy small modern winter summer little bright simple vintage garden kitchen ideas recipes guide living "
         "paper wooden classic outdoor blue green café décor für niño 日本 любовь ✨ 🎄").split()
FIRST = "Abigail Adam Amber Angela Anthony Brian Carol David Erik Fiona George Helen Ivan Julia Kevin Laura".split()
LAST = "Acosta Adkins Ali Brown Conner Davis Evans Gray Hall Ingram Jones Kelley Lopez Moore Nash Owens".split()


def words(rng, low, high):
    return " ".join(rng.choices(WORDS, k=rng.randint(low, high)))


def when(rng, first_year, last_year):
    return "%04d-%02d-%02d %02d:%02d:%02d" % (rng.randint(first_year, last_year), rng.randint(1, 12), rng.randint(1, 28),
                                            rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59))


def post(rng, index, countries):
    bare = rng.random() < 0.01
    kind = rng.choices(("image", "multi-video(story page format)", "video"), (89, 8, 3))[0]
    category = rng.choice(CATEGORIES)
    shape = rng.random()
    followers = ("User Info Error" if bare else "%dk" % rng.randint(1, 999) if shape < 0.72 else
                 str(rng.randint(0, 940)) if shape < 0.92 else "%dM" % rng.randint(1, 15))
    pin = {"index": index, "unique_id": "%08x-%04x-%04x-%04x-%012x" % tuple(rng.getrandbits(b) for b in (32, 16, 16, 16, 48)),
           "title": "No Title Data Available" if bare else words(rng, 4, 12),
           "description": ("No description available Story format" if bare or kind[0] == "m" else words(rng, 14, 28)),
           "poster_name": "User Info Error" if bare else words(rng, 1, 3), "follower_count": followers,
           "tag_list": ("N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e" if bare else
                        ",".join(words(rng, 2, 3) for _ in range(9))),
           "is_image_or_video": kind,
           "image_src": "Image src error." if bare else "https://i.pinimg.com/originals/%032x.jpg" % rng.getrandbits(128),
           "downloaded": 0 if bare else 1, "save_location": "Local save in /data/" + category, "category": category}
    geo = {"ind": index, "timestamp": when(rng, 2017, 2022), "latitude": round(rng.uniform(-90, 90), 4),
           "longitude": round(rng.uniform(-180, 180), 3), "country": countries[int(len(countries) * rng.random() ** 2)]}
    user = {"ind": index, "first_name": rng.choice(FIRST), "last_name": rng.choice(LAST), "age": rng.randint(20, 60),
            "date_joined": when(rng, 2015, 2017)}
    return pin, geo, user


def make(lake, posts, flush, repeats):
    rng = random.Random(1)
    countries = ["Country %03d" % n for n in range(217)]
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    sent = []
    for start in range(0, posts, flush):
        lines = ([], [], [])
        for index in range(start, min(start + flush, posts)):
            if sent and rng.random() < repeats:
                texts = sent[rng.randrange(len(sent))]
            else:
                texts = tuple(encode(record) for record in post(rng, index, countries))
                if repeats:
                    sent.append(texts)
            for kind in range(3):
                lines[kind].append(texts[kind])
        for name, texts in zip(("pin", "geo", "user"), lines):
            folder = lake / "topics" / f"local.{name}" / "partition=0"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"local.{name}+0+{start:010d}.json").write_text("\n".join(texts) + "\n", encoding="utf-8")
