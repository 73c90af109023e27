"""What people are told of somebody who answers in the photos' place."""

from __future__ import annotations

from scraper.running.interception import Sighting
from scraper.running.watching import Watch, explain

REST = "That says nothing of the photos, which rest as unknown: "
END = ", then run the same command again (--believe-answers takes such answers for the photos' own)"


def test_answers_alike_are_told_with_what_to_do() -> None:
    assert explain(Sighting("the page 'Login'", 1600, usual=False)) == (
        f"1,600 photos in a row and no picture: every answer is the page 'Login'. {REST}log in to this network or use "
        f"another one, or wait if this address is blocked{END}"
    )


def test_dead_photos_without_a_picture_are_told_with_what_to_do() -> None:
    assert explain(Sighting("404 Not Found", 200, usual=True)) == (
        f"not one picture among 200 photos, nearly every answer is 404 Not Found. {REST}look at some of the URLs in a "
        f"browser; if a network or a block answers for the host, use another network{END}"
    )


def test_all_hosts_of_flickr_are_watched_together_and_all_others_too() -> None:
    watch = Watch()
    flickr = watch.over("https://live.staticflickr.com/1/2_a.jpg")
    assert watch.over("http://farm1.static.flickr.com/1/3_b.jpg") is flickr
    other = watch.over("https://one.example/a.jpg")
    assert other is not flickr
    assert watch.over("https://two.example/b.jpg") is other
    assert watch.over("no url") is other
    assert list(watch) == [flickr, other]
    assert (watch.shown, watch.pictureless()) == (None, [])
