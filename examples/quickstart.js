// A first load test: people look around in a shop, and one in ten orders something.
//
//   curl -X POST http://127.0.0.1:8000/api/v1/tests -H "Authorization: Bearer $KEY" \
//     -F name=Quickstart -F script=@examples/quickstart.js -F workers=10 -F duration=10
//
// Put the address of your own service here; `fusillade demo` puts that of its built-in shop.
const target = 'http://127.0.0.1:8080';

export const options = {
  workers: 10,
  duration: '10s',
  thresholds: { http_req_duration: ['p95 < 500'], http_req_failed: ['rate < 0.01'] },
};

export default function () {
  const list = http.get(`${target}/products`);
  check(list, {
    'the list is there': (res) => res.status === 200,
    'it has products': (res) => res.json().length > 0,
  });

  const products = list.json();
  const product = products[__ITERATION % products.length];
  http.get(`${target}/products/${product.id}`);

  if (__ITERATION % 10 === 0) {
    const order = http.post(`${target}/orders`, JSON.stringify({ product: product.id }), {
      headers: { 'Content-Type': 'application/json' },
    });
    check(order, { 'the order was taken': (res) => res.status === 201 });
  }

  sleep(0.05);
}
