/**
 * Run as a program: NAME SERVER. Asks for a name's IPv4 addresses as a program in a pod does; prints them, or the
 * resolver's code (`ENOTFOUND`, `ETIMEOUT`, ...).
 */
import { Resolver } from 'node:dns/promises';

const [name = '', server = ''] = process.argv.slice(2);
const resolver = new Resolver({ timeout: 700, tries: 2 });
resolver.setServers([server]);
const answer = await resolver.resolve4(name).catch((error: unknown) => error);
if (Array.isArray(answer)) console.log(answer.join(' '));
else console.log(answer instanceof Error && 'code' in answer ? answer.code : answer);
