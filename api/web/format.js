// Numbers and times as people read them.

const integer = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const withSeconds = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const NOTHING = "–";

export function count(value) {
  return value === null || value === undefined ? NOTHING : integer.format(value);
}

export function compact(value) {
  return Math.abs(value) < 10_000 ? decimal(value) : short.format(value);
}

// Up to three digits that matter.
export function decimal(value) {
  if (value === null || value === undefined) return NOTHING;
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
}

// Three digits, however small it is.
export function precise(value) {
  return Math.abs(value) >= 1 ? decimal(value) : String(Number(value.toPrecision(3)));
}

export function rate(value) {
  return value === null || value === undefined ? NOTHING : `${compact(value)}/s`;
}

export function milliseconds(value) {
  if (value === null || value === undefined) return NOTHING;
  if (value >= 10_000) return `${decimal(value / 1000)} s`;
  return `${decimal(value)} ms`;
}

// A share between 0 and 1.
export function percent(value) {
  if (value === null || value === undefined) return NOTHING;
  const size = value * 100;
  if (size > 0 && size < 0.01) return "< 0.01 %";
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: size < 10 ? 2 : 1 }).format(size)} %`;
}

export function bytes(value) {
  if (value === null || value === undefined) return NOTHING;
  for (const unit of ["bytes", "kB", "MB", "GB"]) {
    if (value < 1000) return unit === "bytes" ? `${value} bytes` : `${decimal(value)} ${unit}`;
    value /= 1000;
  }
  return `${decimal(value)} TB`;
}

// 90 -> "1 min 30 s"
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ].filter(([amount]) => amount > 0);
  if (!parts.length) return "0 s";
  return parts.slice(0, 2).map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

// 90 -> "1:30", for axes.
export function clock(seconds) {
  if (seconds < 60) return `${decimal(seconds)} s`;
  const two = (value) => String(value).padStart(2, "0");
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest.replace(/^0/, "");
}

export function time(text) {
  return text ? moment.format(new Date(text)) : NOTHING;
}

export function exactTime(text) {
  return text ? withSeconds.format(new Date(text)) : NOTHING;
}

export function date(value) {
  return day.format(new Date(value));
}

// "in 5 hours", "3 minutes ago"
export function ago(text, now = Date.now()) {
  if (!text) return NOTHING;
  const seconds = (new Date(text).getTime() - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 5) return "now";
  for (const [length, unit] of [[60, "second"], [3600, "minute"], [86400, "hour"], [86400 * 30, "day"], [86400 * 365, "month"]]) {
    if (size < length) {
      const of = { second: 1, minute: 60, hour: 3600, day: 86400, month: 86400 * 30 }[unit];
      return relative.format(Math.trunc(seconds / of), unit);
    }
  }
  return relative.format(Math.trunc(seconds / (86400 * 365)), "year");
}

export function plural(amount, one, many = `${one}s`) {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

// "eu-hel1:60,us-east-1:40" -> "eu-hel1 60 %, us-east-1 40 %"
export function regions(text) {
  const parts = text.split(",").map((part) => part.split(":"));
  if (parts.length < 2) return parts[0][0];
  const all = parts.reduce((sum, [, weight]) => sum + Number(weight ?? 1), 0);
  return parts.map(([code, weight]) => `${code} ${percent(Number(weight ?? 1) / all)}`).join(", ");
}
