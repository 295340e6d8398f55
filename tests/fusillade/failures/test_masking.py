"""What is masked, and what is left as it is."""

import pytest

from fusillade.failures.masking import MASK, Masker


def masked(text: str, **env: str) -> str:
    masker = Masker(env)
    found = masker.body(text)
    return masker.everywhere(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "b": [true, null]}', '{"a": 1, "b": [true, null]}'),
        ('{"apiKey":"abc","a":"ż"}', f'{{"apiKey":"{MASK}","a":"ż"}}'),
        ('{"pin":1,"token":null}', f'{{"pin":"{MASK}","token":null}}'),
        (
            '{"secrets":{"a":["b"],"c":{"d":2}}}',
            f'{{"secrets":{{"a":["{MASK}"],"c":{{"d":"{MASK}"}}}}}}',
        ),
        # Cut off in the midst of a value, of a secret, and of an object of secrets.
        ('{"password":"abc","list":[1,2,"x', f'{{"password":"{MASK}","list":[1,2,"x'),
        ('{"a":"b","client_secret": "ab\\"c', f'{{"a":"b","client_secret": "{MASK}"'),
        ('{"a":"b","credentials":{"user":"x', f'{{"a":"b","credentials":"{MASK}"'),
        (
            "user[password]=x%20y&page=2&access_token=",
            f"user[password]={MASK}&page=2&access_token=",
        ),
        ("plain text, a=b and password=c", "plain text, a=b and password=c"),
        (
            '--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nab\r\nc\r\n--x--',
            f'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{MASK}\r\n--x--',
        ),
        ("", ""),
    ],
)
def test_bodies_lose_what_has_the_name_of_a_secret(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_deep_and_odd_bodies_are_masked_too() -> None:
    deep = '{"a":' * 5000 + '{"password":"hidden"}' + "}" * 5000
    assert "hidden" not in masked(deep)
    assert masked("[" * 100) == "[" * 100
    assert masked('"' * 4096) == '"' * 4096
    assert masked("a=" * 2048).startswith("a=")


def test_a_secret_is_masked_wherever_else_it_stands() -> None:
    assert masked('{"password":"hunter22"} ', X="y") == f'{{"password":"{MASK}"}}'
    masker = Masker({"API_KEY": "from-env", "URL": "http://127.0.0.1", "PASSWORD": "short"})
    header = masker.header("Authorization", "Bearer tell-nobody")
    url = masker.url("http://a:pass%20word@127.0.0.1/x?token=q%2Fquery#top")
    assert header.value == f"Bearer {MASK}"
    assert url == f"http://a:{MASK}@127.0.0.1/x?token={MASK}#top"
    text = "tell-nobody pass word q/query from-env short http://127.0.0.1"
    assert masker.everywhere(text) == f"{MASK} {MASK} {MASK} {MASK} short http://127.0.0.1"


def test_headers_are_masked_by_name_and_addresses_in_them_by_their_fields() -> None:
    masker = Masker({})
    for name in ("Cookie", "X-Api-Key", "x-auth-token", "X-Amz-Security-Token"):
        assert masker.header(name, "abc").value == MASK
    assert masker.header("Set-Cookie", "a=b; HttpOnly").value == f"a={MASK}; HttpOnly"
    assert masker.header("Location", "/in?code=1&token=2").value == f"/in?code=1&token={MASK}"
    assert masker.header("Content-Type", "text/plain").value == "text/plain"
