/** Characters of a message that anybody reads. Names and paths of foreign documents may be of any length. */
const longestMessage = 1_500;

/** The message, or its beginning and its end, which says what to do. */
export function clipMessage(message: string): string {
  if (message.length <= longestMessage) return message;
  const end = message.slice(-longestMessage / 3).toWellFormed();
  return `${message.slice(0, (longestMessage * 2) / 3).toWellFormed()} … ${end}`;
}
