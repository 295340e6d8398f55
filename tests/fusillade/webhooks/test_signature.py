"""Signatures, judged by the program that the reference gives to receivers."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from fusillade.webhooks.signature import new_secret, sign

VERIFY = """
const crypto = require('crypto');

function verifyWebhook(body, signature, secret) {
  const [tPart, vPart] = signature.split(',');
  const timestamp = tPart.replace('t=', '');
  const expectedSig = vPart.replace('v1=', '');

  const payload = timestamp + '.' + body;
  const computed = crypto
    .createHmac('sha256', secret)
    .update(payload)
    .digest('hex');

  return crypto.timingSafeEqual(
    Buffer.from(computed),
    Buffer.from(expectedSig)
  );
}
"""
"""The reference's "Verify signature (Node.js)", as printed."""

BODY = '{"event":"test.completed","data":{"name":"Größe 测试 😀"}}'


def verified(cases: list[tuple[str, str, str]]) -> Any:
    """What verifyWebhook() says of each body, signature and secret."""
    program = VERIFY + (
        "const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify(cases.map((one) => verifyWebhook(...one))));"
    )
    done = subprocess.run(
        ["node", "-e", program],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("node") is None, reason="the reference's example is for Node.js")
def test_the_references_program_accepts_our_signature_and_no_other() -> None:
    secret = new_secret()
    signature = sign(BODY, secret, 1770379200)
    other_time = signature.replace("t=1770379200", "t=1770379201")
    answers = verified(
        [
            (BODY, signature, secret),
            (BODY + " ", signature, secret),
            (BODY, signature, new_secret()),
            (BODY, other_time, secret),
        ]
    )
    assert answers == [True, False, False, False]


@pytest.mark.skipif(shutil.which("node") is None, reason="the reference's example is for Node.js")
def test_the_references_program_looks_at_the_first_of_two_signatures() -> None:
    old, new = new_secret(), new_secret()
    both = sign(BODY, new, 1770379200, old)
    assert both.count("v1=") == 2
    assert verified([(BODY, both, new), (BODY, both, old)]) == [True, False]
    turned = sign(BODY, old, 1770379200, new)
    assert verified([(BODY, turned, new), (BODY, turned, old)]) == [False, True]


def test_a_signature_is_the_one_that_openssl_computes() -> None:
    # printf '1770379200.{}' | openssl dgst -sha256 -hmac whsec_x
    assert (
        sign("{}", "whsec_x", 1770379200)
        == "t=1770379200,v1=f4d58a3d1a6c1b5c246363b99b3c5d4d45309f57b7d13b4ceaa808677ac2c70a"
    )


def test_secrets_differ() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert new_secret().startswith("whsec_")
