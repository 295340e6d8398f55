// A load test: `fusillade run test.js` runs it here, on all cores.
//
// Each worker is one user: it calls the default function again and again, and waits for each answer
// before it goes on. Everything used here is global; nothing has to be imported.

// What is tested. `-e TARGET=https://...` on the command line wins over it.
const target = 'http://127.0.0.1:8080';
const base = __ENV.TARGET || target;

export const options = {
  workers: 5, // users at once; -w on the command line wins
  duration: '10s', // -d wins
  // What has to hold at the end: otherwise the exit code is 99.
  thresholds: {
    http_req_duration: ['p95 < 500'], // milliseconds
    http_req_failed: ['rate < 0.01'], // a share: 1 %
    checks: ['rate > 0.99'],
  },
};

// Runs once before the load; what it returns goes to each iteration, and to teardown.
export function setup() {
  return { startedAt: Date.now() };
}

// One iteration of one worker.
export default function (data) {
  const res = http.get(`${base}/`);
  check(res, {
    'the answer is 200': (r) => r.status === 200,
    'it has a body': (r) => r.body.length > 0,
  });
  sleep(0.5); // seconds: a user looks at the page
}

// Runs once after the load.
export function teardown(data) {
  console.log(`the test took ${((Date.now() - data.startedAt) / 1000).toFixed(1)} s`);
}
