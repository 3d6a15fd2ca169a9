import { DoctorError } from '../doctor-error.ts';
import { askDns } from '../host/ask-dns.ts';
import { dnsQuestionsSchema } from '../host/dns-schema.ts';
import { print } from './print.ts';

/** Of questions as JSON. */
const maxCharacters = 1024 * 1024;

/**
 * Puts the questions (a JSON list of them on standard input) to DNS servers and prints the answers as JSON.
 * Run by the doctor inside the network of a pod. Reads nothing of the machine and needs no right.
 */
export async function askDnsCommand(): Promise<number> {
  const questions = dnsQuestionsSchema().safeParse(parseJson(await readInput()));
  if (!questions.success) {
    throw new DoctorError('usage', 'expected a JSON list of DNS questions on standard input');
  }
  await print(`${JSON.stringify(await Promise.all(questions.data.map(askDns)))}\n`);
  return 0;
}

async function readInput(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length > maxCharacters) break;
  }
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
