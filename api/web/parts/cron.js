// Cron expressions of seven fields in words: sec min hour day_of_month month day_of_week year.

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS = ["", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

export const COMMON = [
  ["0 */15 * * * * *", "Every 15 minutes"],
  ["0 0 * * * * *", "Every hour"],
  ["0 0 */6 * * * *", "Every 6 hours"],
  ["0 0 2 * * * *", "Every day at 02:00"],
  ["0 0 9 * * Mon-Fri *", "Every weekday at 09:00"],
  ["0 0 9 * * Mon *", "Every Monday at 09:00"],
  ["0 0 0 1 * * *", "On the first day of each month"],
];

// A sentence without its end; null for what is too rare to have words here.
export function words(expression) {
  const fields = expression.trim().split(/\s+/).map((field) => (field === "?" ? "*" : field));
  if (fields.length !== 7) return null;
  const [second, minute, hour, day, month, weekday, year] = fields;
  const time = timeWords(second, minute, hour);
  const date = dateWords(day, month, weekday);
  if (time === null || date === null) return null;
  const often = time.startsWith("every");
  const when = often ? [time, date] : [date || "every day", time];
  const until = year === "*" ? "" : /^\d+$/.test(year) ? `in ${year}` : null;
  if (until === null) return null;
  const text = [...when, until].filter(Boolean).join(" ");
  return text[0].toUpperCase() + text.slice(1);
}

function timeWords(second, minute, hour) {
  const number = /^\d+$/;
  const step = /^(?:\*|0)\/(\d+)$/;
  if (second === "*" && minute === "*" && hour === "*") return "every second";
  if (step.test(second) && minute === "*" && hour === "*") return every(step.exec(second)[1], "second");
  if (!number.test(second)) return null;
  const seconds = second === "0" ? "" : `:${two(second)}`;
  if (hour === "*" && minute === "*") return seconds ? `every minute at second ${second}` : "every minute";
  if (hour === "*" && step.test(minute)) return every(step.exec(minute)[1], "minute");
  if (!number.test(minute)) return null;
  const past = minute === "0" ? "" : ` at minute ${minute}`;
  if (hour === "*") return `every hour${past}`;
  if (step.test(hour)) return `${every(step.exec(hour)[1], "hour")}${past}`;
  const range = /^(\d+)-(\d+)$/.exec(hour);
  if (range) return `every hour from ${two(range[1])}:${two(minute)} to ${two(range[2])}:${two(minute)}`;
  const hours = hour.split(",");
  if (!hours.every((one) => number.test(one))) return null;
  return `at ${list(hours.map((one) => `${two(one)}:${two(minute)}${seconds}`))}`;
}

function dateWords(day, month, weekday) {
  const months = month === "*" ? "" : named(month, MONTHS);
  const days = weekday === "*" ? "" : named(weekday, DAYS);
  if (months === null || days === null) return null;
  const within = months ? `in ${months}` : "";
  if (day === "*" && days) return [days.includes(" to ") ? `from ${days}` : `every ${days}`, within].filter(Boolean).join(" ");
  if (day === "*") return within ? `every day ${within}` : "";
  if (days) return null;
  if (day.toLowerCase() === "l") return `on the last day of ${months || "each month"}`;
  const numbers = day.split(",");
  if (!numbers.every((one) => /^\d+$/.test(one))) return null;
  return `on the ${list(numbers.map(ordinal))} of ${months || "each month"}`;
}

// "Mon-Fri" -> "Monday to Friday"; null for what is no name, number, range or list of them
function named(field, names) {
  const one = (text) => {
    const place = /^\d+$/.test(text) ? Number(text) : names.findIndex((name) => name && name.slice(0, 3).toLowerCase() === text.toLowerCase());
    return names[place] || null;
  };
  const parts = field.split(",").map((part) => {
    const [from, to] = part.split("-");
    if (to === undefined) return one(from);
    return one(from) && one(to) ? `${one(from)} to ${one(to)}` : null;
  });
  return parts.includes(null) ? null : list(parts);
}

function every(amount, unit) {
  return amount === "1" ? `every ${unit}` : `every ${amount} ${unit}s`;
}

function list(parts) {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

function ordinal(text) {
  const value = Number(text);
  const ending = value % 100 >= 11 && value % 100 <= 13 ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[value % 10] ?? "th");
  return `${value}${ending}`;
}

function two(text) {
  return String(text).padStart(2, "0");
}
