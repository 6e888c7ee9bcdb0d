"""MovieLens data sets of four ratings, and what the package says about them when they are damaged."""

from pathlib import Path

import pytest

from course_utils import movielens
from course_utils.movielens import DataError

# Small made-up data sets in the formats of the real ones: 4 ratings of 3 films by 3 users.
FLAGS = "0|" * 18
FILES = {
    "ml-100k": {
        "u.data": "2\t3\t4\t881250949\n1\t1\t5\t881250949\n3\t3\t1\t881250948\n2\t1\t3\t881250949\n",
        "u.item": f"1|Caf\xe9 M\xfcller (1983)|01-Jan-1983||http://x|0|1|1|{'0|' * 15}0\n"
        f"2|unknown||||1|{'0|' * 17}0\n"
        f"3|Quiet Sea (Mar quieta) (1997)|||http://y|{FLAGS}1\n",
    },
    "ml-1m": {
        "ratings.dat": "2::3::4::978300760\n1::1::5::978300761\n3::3::1::978300762\n2::1::3::978300763\n",
        "movies.dat": "1::Caf\xe9 M\xfcller (1983)::Comedy|Drama\n2::Two: Colons (1999)::War\n3::Sea (1997)::Drama\n",
    },
    "ml-latest-small": {
        "ratings.csv": "userId,movieId,rating,timestamp\r\n2,30,4.5,978300760\r\n1,1,0.5,978300761\r\n"
        "3,30,1.0,978300762\r\n2,1,3.0,978300763\r\n",
        "movies.csv": "movieId,title,genres\r\n1,Café Müller (1983),Comedy|Drama\r\n"
        '2,"Sea, The ""Quiet"" One (2006–2007)",(no genres listed)\r\n30,No Year Given,Drama\r\n',
    },
}
RATINGS_FILE = {name: next(iter(files)) for name, files in FILES.items()}
MOVIES_FILE = {name: list(files)[1] for name, files in FILES.items()}


def write(folder: Path, name: str, **other: str | bytes | None) -> Path:
    """Writes a small data set; `ratings` and `movies` replace a file's contents, None leaves it out."""
    folder.mkdir(parents=True)
    contents = {"ratings": FILES[name][RATINGS_FILE[name]], "movies": FILES[name][MOVIES_FILE[name]]} | other
    for what, file in (("ratings", RATINGS_FILE[name]), ("movies", MOVIES_FILE[name])):
        text = contents[what]
        if text is not None:
            encoding = "utf-8" if name == "ml-latest-small" else "latin-1"
            (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return folder


def error_of(name: str) -> str:
    """What loading a data set that cannot be had says, in its one line."""
    with pytest.raises(DataError) as caught:
        movielens.load(name)
    message = str(caught.value)
    assert "\n" not in message
    return message
