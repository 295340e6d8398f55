// The seconds of a run, from wherever they come: live messages, the series so far, the stored one.

export class Series {
  constructor() {
    this.seconds = new Map();
    this.last = -1;
    this.regions = new Set();
  }

  // Points as the API has them.
  add(points) {
    for (const point of points) this.put(point.second, point);
  }

  // A `metric` message tells of the second that has just ended. Returns whether seconds before it
  // are missing.
  message(data) {
    const second = data.elapsed_seconds - 1;
    const gap = second > this.last + 1;
    this.put(second, data);
    return gap;
  }

  put(second, point) {
    this.seconds.set(second, point);
    if (second > this.last) this.last = second;
    for (const one of point.by_region ?? []) this.regions.add(one.region);
  }

  // The end of the seconds that have come without a gap.
  complete() {
    let second = -1;
    while (this.seconds.has(second + 1)) second += 1;
    return second;
  }

  points() {
    return [...this.seconds].sort(([a], [b]) => a - b);
  }

  // [[second, value]] of one number
  line(name) {
    return this.points().map(([second, point]) => [second, point[name]]);
  }

  // The same of one region; seconds of which it has told nothing are left out.
  lineOf(region, name) {
    return this.points().flatMap(([second, point]) => {
      const found = point.by_region?.find((one) => one.region === region);
      return found ? [[second, found[name]]] : [];
    });
  }
}
