// Round numbers for axes.

// Values from 0 or `low` to at least `high`, about `wanted` of them, at a distance of 1, 2 or 5
// times a power of ten.
export function ticks(low, high, wanted) {
  const span = high - low || 1;
  const step = stepOf(span / wanted);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const found = [];
  for (let place = first; place <= last; place++) found.push(Number((place * step).toPrecision(12)));
  return found;
}

// The round number at or above `high`.
export function roof(high, wanted) {
  if (!(high > 0)) return 1;
  const step = stepOf(high / wanted);
  return Number((Math.ceil(high / step - 1e-9) * step).toPrecision(12));
}

// The same for seconds: 1, 2, 5, 10, 15, 30 s, 1, 2, 5 min and so on.
export function secondTicks(low, high, wanted) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];
  const step = steps.find((one) => (high - low) / one <= wanted) ?? 86_400;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

function stepOf(raw) {
  const power = 10 ** Math.floor(Math.log10(raw));
  const part = raw / power;
  return (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10) * power;
}
