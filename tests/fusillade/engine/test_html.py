"""What scripts find in the HTML that a server sent."""

import json
from typing import Any

from scripts import evaluate
from target import Target

PAGE = """<!doctype html><!-- <p>no</p> -->
<title>Shop &amp; more</title>
<script>if (1 < 2) document.write("<p>no</p>");</script>
<body class="a  b">
<ul id=menu><li class=first><a href="/1?a=1&copy=2">One</a><li><a href='/2' data-x="y z">Two</a>
<li>Three</ul>
<p>para <b>bold</b><p lang=en-GB>second&nbsp;&euro;&#8364;&#x20AC;&#128;<div>in div</div>
<table><tr><td>1<td>2<tr><td>3<td>4</table>
<form><input name=q value="x &quot;y&quot;"><input type=checkbox checked>
<select><option value=1>one<option selected>two</select><textarea><b>raw</textarea></form>
<svg><path d="M0"/><circle/></svg><br/><img src=a.png>"""

FOUND: dict[str, Any] = {
    # what is read
    "$('title').text()": "Shop & more",
    "$('head > script').html()": 'if (1 < 2) document.write("<p>no</p>");',
    "$('p').size()": 2,
    "$('p').length": 2,
    "$('p').html()": "para <b>bold</b>",
    "$('p').text()": "para boldsecond\u00a0€€€€",
    "$('nothing').text()": "",
    "$('nothing').html() === undefined": True,
    "$('nothing').attr('x') === undefined": True,
    "$('li a').attr('href')": "/1?a=1&copy=2",
    "$('li a').attr('none', 'other')": "other",
    "$('a').get(1).getAttribute('HREF')": "/2",
    "$('input').val()": 'x "y"',
    "$('select').val()": "two",
    "$('option').val()": "1",
    "$('textarea').val()": "<b>raw",
    "$('form').html()": '<input name="q" value="x &quot;y&quot;"><input type="checkbox" checked="">'
    '\n<select><option value="1">one</option><option selected="">two</option></select>'
    "<textarea>&lt;b&gt;raw</textarea>",
    # which elements
    "texts('li')": ["One", "Two\n", "Three"],
    "texts('table > tbody > tr > td')": ["1", "2", "3", "4"],
    "texts('tr td:first-child')": ["1", "3"],
    "texts('tr:last-child td:last-child')": ["4"],
    "texts('li:nth-child(2)').length": 1,
    "texts('td:nth-child(odd)')": ["1", "3"],
    "texts('li:nth-child(-n+2)').length": 2,
    "texts('li:nth-child(2n + 1)')": ["One", "Three"],
    "texts('li:nth-last-child(1)')": ["Three"],
    "texts('li:not(.first)')": ["Two\n", "Three"],
    "texts('li:not(.first, :last-child)')": ["Two\n"],
    "texts('.first + li, b')": ["Two\n", "bold"],
    "texts('.first ~ li')": ["Two\n", "Three"],
    "texts('ul#menu > li > a[data-x~=z]')": ["Two"],
    "texts('[lang|=en]').length": 1,
    "texts('a[href^=\"/1\"]')": ["One"],
    "texts('a[href$=\"2\"]')": ["One", "Two"],
    "texts('a[href*=\"COPY\" i]')": ["One"],
    "texts('li:contains(Thr)')": ["Three"],
    "texts(':checked').length": 2,
    "$('html').attr('class') === undefined && $('body').is('.a.b')": True,
    "texts('svg > *').length": 2,
    "texts('body li, LI').length": 3,
    "$('p + div').text()": "in div",
    # from one to another
    "$('ul').find('a').last().text()": "Two",
    "$('a').first().parent().is('.first')": True,
    "$('li').eq(-1).text()": "Three",
    "$('a').closest('ul').attr('id')": "menu",
    "$('td').parents('table').size()": 1,
    "$('td').parents().size()": 6,
    "$('.first').next().text()": "Two\n",
    "$('.first').siblings().size()": 2,
    "$('ul').children('.first').size()": 1,
    "$('li').has('a').size()": 2,
    "$('li').not('.first').size()": 2,
    "$('li').filter((i) => i > 0).size()": 2,
    "$('li').slice(1).first().text()": "Two\n",
    "res.html().find('td').size()": 4,
    # one after the other
    "$('li').map((i, li) => i + li.find('a').text())": ["0One", "1Two", "2"],
    "$('li').toArray().map((li) => li.children().size())": [1, 1, 0],
    "[...$('td')].length": 4,
    "(() => { const seen = []; $('td').each((i, td) => seen.push(td.textContent())); return seen; })()": [
        "1",
        "2",
        "3",
        "4",
    ],
    "$('li').map((i, li) => http.get(base + '/status/20' + i).status)": [200, 201, 202],
    "$('li').filter((i) => http.get(base + '/status/20' + i).status === 201).text()": "Two\n",
}


async def test_elements_are_found_as_browsers_see_them(shared_target: Target) -> None:
    questions = ", ".join(f"() => {question}" for question in FOUND)
    body = f"""const res = http.post(base + '/mirror', {json.dumps(PAGE)});
      const $ = (selector) => res.html(selector);
      const texts = (selector) => $(selector).toArray().map((one) => one.text());
      const answers = [];
      for (const question of [{questions}]) answers.push(question());
      return answers;"""
    answers = await evaluate(body, head=f"const base = '{shared_target.url}';")
    assert dict(zip(FOUND, answers, strict=True)) == FOUND


async def test_text_is_read_as_html_as_well() -> None:
    head = "import { parseHTML } from 'k6/html';"
    body = "return parseHTML('<p>a<p>b').find('p').toArray().map((one) => one.text());"
    assert await evaluate(body, head=head) == ["a", "b"]


WRONG = ["", "a >", "> a", "a,", "a[b", ":nope", "li:nth-child(x)", "a)", ":not(a"]


async def test_a_wrong_selector_throws_with_the_reason(shared_target: Target) -> None:
    body = f"""const res = http.get(base + '/');
      return {json.dumps(WRONG)}.map((selector) => {{
        try {{ res.html(selector); return 'nothing'; }} catch (error) {{ return error.message; }} }});"""
    messages = await evaluate(body, head=f"const base = '{shared_target.url}';")
    for selector, message in zip(WRONG, messages, strict=True):
        assert f"the selector {json.dumps(selector)} is wrong: " in message


HOSTILE = {
    "'<div>'.repeat(n)": "div div > div:not(p div)",
    "'<p><b>'.repeat(n)": "p b",
    "'<ul><b>' + '<b>'.repeat(n) + '<li></li></p></x>'.repeat(n)": "ul li ~ li",
    "'<table><td>'.repeat(n) + '</p></b>'.repeat(n)": "td table",
    "'<'.repeat(n)": "a",
    "'<a '.repeat(n)": "a",
    "'<a b=\"'.repeat(n)": "a",
    "'<a ' + ' '.repeat(n)": "a",
    "'<!--'.repeat(n)": "a",
    "'<script>'.repeat(n)": "a",
    "'</script '.repeat(n)": "a",
    "'&#'.repeat(n) + '&a'.repeat(n)": "a",
    "'<i></i>'.repeat(n)": "i ~ i ~ i:last-child",
    "'<svg/>'.repeat(n) + '<a a=1 a=2 b=3' + ' c'.repeat(n)": "svg a",
}


async def test_hostile_pages_take_no_more_than_their_length(shared_target: Target) -> None:
    """Were it quadratic, the host would not answer for minutes, and its watchdog end it."""
    pages = ", ".join(f"[{page}, {json.dumps(selector)}]" for page, selector in HOSTILE.items())
    body = f"""const n = 100000;
      return [{pages}].map(([page, selector]) => {{
        const res = http.post(base + '/mirror', page);
        res.html(selector).text();
        return res.html().html().length > 0;
      }});"""
    answers = await evaluate(body, head=f"const base = '{shared_target.url}';")
    assert answers == [True] * len(HOSTILE)
