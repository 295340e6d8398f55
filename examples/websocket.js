// A chat under load: each worker keeps one WebSocket over all its iterations, and talks.
//
//   fusillade run examples/websocket.js -e FUSILLADE_CHAT=ws://127.0.0.1:9000/echo
//
// The server has to send back what it gets.
const url = __ENV.FUSILLADE_CHAT ?? 'ws://127.0.0.1:9000/echo';

export const options = {
  workers: 10,
  duration: '10s',
  thresholds: { answer_time: ['p95 < 200'], ws_connect_failed: ['rate < 0.01'] },
};

export default function () {
  if (!__WORKER_STATE.socket?.isConnected()) __WORKER_STATE.socket = ws.connect(url);
  const { socket } = __WORKER_STATE;
  if (!socket.isConnected()) {
    console.warn(`not connected: ${socket.error}`);
    sleep(1);
    return;
  }

  const begun = Date.now();
  const text = `hello from ${__VU}, ${__ITER}`;
  socket.send(text);
  check(socket.recv(2000), { 'comes back': (answer) => answer === text });
  metrics.histogramAdd('answer_time', Date.now() - begun);
  sleep(0.1);
}
