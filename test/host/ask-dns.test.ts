import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import packet from 'dns-packet';
import { describe, expect, test, vi } from 'vitest';
import { askDns } from '../../src/host/ask-dns.ts';
import type { DnsQuestion } from '../../src/host/host.ts';
import { createAuthority } from '../lab/api-server/certificates.ts';
import { addressRecord, answer, framed, tcpServer, udpServer } from './dns-server.ts';
import { temporaryFolder } from './temporary-folder.ts';

const name = 'www.example.org';
const two = [addressRecord(name, '192.0.2.1'), addressRecord(name, '192.0.2.2')];

function ask(place: { readonly server: string; readonly port: number }, changes: Partial<DnsQuestion> = {}) {
  const { server, port } = place;
  return askDns({ server, port, protocol: 'udp', name, type: 'A', timeoutMs: 2000, ...changes });
}

describe('an answer over UDP', () => {
  test('has the records, the code and the time it took', async () => {
    const place = await udpServer((question) => [answer(question, two)]);
    expect(await ask(place)).toEqual({
      kind: 'answered',
      code: 'NOERROR',
      records: ['192.0.2.1', '192.0.2.2'],
      truncated: false,
      elapsedMs: expect.any(Number),
    });
  });

  test.each([
    [2, 'SERVFAIL'],
    [3, 'NXDOMAIN'],
    [5, 'REFUSED'],
    [11, 'RCODE_11'],
  ])('with code %i is %s', async (rcode, code) => {
    const place = await udpServer((question) => [answer(question, [], { rcode })]);
    expect(await ask(place)).toMatchObject({ kind: 'answered', code, records: [] });
  });

  test('of other types: names, and who is in charge of a zone', async () => {
    const soa = {
      mname: 'ns.example.org',
      rname: 'x.example.org',
      serial: 1,
      refresh: 1,
      retry: 1,
      expire: 1,
      minimum: 1,
    };
    const place = await udpServer((question) => [
      answer(question, [
        { type: 'CNAME', name, data: 'a.example.org' },
        { type: 'AAAA', name, data: '2001:db8::1' },
        { type: 'NS', name, data: 'ns1.example.org' },
        { type: 'SOA', name, data: soa },
        { type: 'TXT', name, data: 'not of interest' },
      ]),
    ]);
    expect(await ask(place, { type: 'SOA' })).toMatchObject({
      records: ['a.example.org', '2001:db8::1', 'ns1.example.org', 'ns.example.org'],
    });
  });

  test('to the root, and with a name in capitals', async () => {
    const place = await udpServer((question) => {
      const bytes = answer(question);
      // A server may give the name back as it likes.
      return [Buffer.from(bytes.toString('latin1').replace('www', 'wWW'), 'latin1')];
    });
    expect(await ask(place, { name: '', type: 'NS' })).toMatchObject({ code: 'NOERROR' });
    expect(await ask(place)).toMatchObject({ code: 'NOERROR' });
  });

  test('says that it was cut, wherever that was', async () => {
    for (const cut of [0, 7]) {
      const place = await udpServer((question) => {
        const whole = answer(question, two, { flags: packet.TRUNCATED_RESPONSE });
        return [whole.subarray(0, whole.length - cut)];
      });
      expect(await ask(place)).toMatchObject({ kind: 'answered', code: 'NOERROR', truncated: true });
    }
  });

  test('over IPv6, with a zone', async () => {
    const place = await udpServer((question) => [answer(question, two)], '::1');
    expect(await ask(place)).toMatchObject({ kind: 'answered' });
    expect(await ask({ ...place, server: '::1%lo' })).toMatchObject({ kind: 'answered' });
  });

  test('is waited for past everything that is none', async () => {
    const place = await udpServer((question) => {
      const otherId = answer(question, two);
      otherId.writeUInt16BE((question.readUInt16BE(0) + 1) % 65_536);
      return [otherId, question, Buffer.from('x'), Buffer.alloc(0), answer(question, two)];
    });
    expect(await ask(place)).toMatchObject({ kind: 'answered', records: ['192.0.2.1', '192.0.2.2'] });
  });
});

test('no two questions have the same id and port', async () => {
  const place = await udpServer((question) => [answer(question)]);
  await Promise.all(Array.from({ length: 20 }, () => ask(place)));
  expect(new Set(place.asked.map(({ id }) => id)).size).toBeGreaterThan(15);
  expect(new Set(place.asked.map(({ port }) => port)).size).toBe(20);
});

describe('what is no answer', () => {
  const wrong: readonly (readonly [string, (question: Buffer) => Buffer, string])[] = [
    [
      'another id',
      (question) => answer(question, two, { id: (question.readUInt16BE(0) + 1) % 65_536 }),
      'an answer with another id',
    ],
    [
      'another name',
      (question) => answer(question, two, { questions: [{ type: 'A', name: 'www.example.com' }] }),
      'an answer to another question',
    ],
    [
      'another type',
      (question) => answer(question, two, { questions: [{ type: 'AAAA', name }] }),
      'an answer to another question',
    ],
    ['no question', (question) => answer(question, two, { questions: [] }), 'an answer to another question'],
    ['the question itself', (question) => question, 'a question in place of an answer'],
    ['five bytes', () => Buffer.alloc(5), '5 bytes, which is no DNS message'],
    [
      'an answer without its end',
      (question) => answer(question, two).subarray(0, -3),
      'an answer that is malformed',
    ],
    [
      'a name that points to itself',
      (question) => {
        const bytes = answer(question, two);
        const start = question.length;
        bytes.writeUInt16BE(0xc000 | start, start);
        return bytes;
      },
      'an answer that is malformed',
    ],
    [
      'more records than there are',
      (question) => {
        const bytes = answer(question, two);
        bytes.writeUInt16BE(65_535, 6);
        return bytes;
      },
      'an answer that is malformed',
    ],
  ];

  test.each(wrong)('%s', async (_, reply, reason) => {
    const place = await udpServer((question) => [reply(question)]);
    expect(await ask(place, { timeoutMs: 100 })).toEqual({ kind: 'wrong-answer', reason });
  });

  test('nothing behind the answers makes them worse', async () => {
    const place = await udpServer((question) => {
      const bytes = answer(question, two);
      bytes.writeUInt16BE(7, 10);
      return [bytes];
    });
    expect(await ask(place)).toMatchObject({ kind: 'answered', code: 'NOERROR' });
  });

  test('control characters do not come through', async () => {
    const place = await udpServer((question) => [
      answer(question, [{ type: 'CNAME', name, data: 'a\u001b[2J.example' }]),
    ]);
    expect(await ask(place)).toMatchObject({ records: ['a?[2J.example'] });
  });

  test('a flood is left before the time is up', async () => {
    const place = await udpServer(() => Array.from({ length: 150 }, () => Buffer.alloc(5)));
    const startedAt = Date.now();
    expect(await ask(place, { timeoutMs: 15_000 })).toMatchObject({ kind: 'wrong-answer' });
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('no answer', () => {
  test('silence is waited for as long as was said', async () => {
    const place = await udpServer(() => []);
    expect(await ask(place, { timeoutMs: 120 })).toEqual({ kind: 'timed-out', timeoutMs: 120 });
    expect(place.asked).toHaveLength(1);
  });

  test.each(['udp', 'tcp', 'tls'] as const)('nobody listens (%s)', async (protocol) => {
    expect(await ask({ server: '127.0.0.9', port: 9 }, { protocol })).toEqual({
      kind: 'blocked',
      reason: 'refused: nobody listens there, or a firewall rejects it (ECONNREFUSED)',
    });
  });

  test.each([
    [{ server: 'dns.example' }, 'dns.example is no IP address'],
    [{ server: '' }, ' is no IP address'],
    [{ server: 'fe80::1' }, 'fe80::1 names no network device'],
    [{ server: '127.0.0.1%lo' }, '127.0.0.1%lo is no IP address'],
    [{ name: `${'a'.repeat(64)}.example` }, /no DNS name$/],
    [{ name: 'a..b' }, /no DNS name$/],
    [{ name: 'a b' }, /no DNS name$/],
    [{ name: `${'a.'.repeat(130)}a` }, /no DNS name$/],
    [{ server: 'fe80::1%nowhere', protocol: 'tcp' }, 'there is no network device nowhere here'],
    [{ server: 'fe80::1%nowhere' }, 'there is no network device nowhere here'],
  ] as const)('%j cannot be asked', async (changes, reason) => {
    const said = await ask({ server: '127.0.0.1', port: 53 }, changes);
    expect(said).toEqual({ kind: 'not-asked', reason: expect.stringMatching(reason) });
  });
});

describe('over TCP', () => {
  test('an answer in one piece, byte by byte, and with another before it', async () => {
    const serves = [
      (bytes: Buffer) => [framed(bytes)],
      (bytes: Buffer) => [...framed(bytes)].map((byte) => Buffer.from([byte])),
      (bytes: Buffer) => [Buffer.concat([framed(Buffer.alloc(20)), framed(Buffer.alloc(0)), framed(bytes)])],
    ];
    for (const pieces of serves) {
      const place = await tcpServer(async (socket, question) => {
        socket.setNoDelay();
        for (const piece of pieces(answer(question, two))) {
          socket.write(piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      expect(await ask(place, { protocol: 'tcp' })).toMatchObject({ records: ['192.0.2.1', '192.0.2.2'] });
      await vi.waitFor(() => expect(place.open()).toBe(0));
    }
  });

  test('a long answer comes whole, and what is printed of it is bounded', async () => {
    const place = await tcpServer((socket, question) => {
      const many = Array.from({ length: 2000 }, () => addressRecord(name, '192.0.2.1'));
      socket.write(framed(answer(question, many)));
    });
    const said = await ask(place, { protocol: 'tcp' });
    expect(said.kind === 'answered' && said.records).toHaveLength(64);
  });

  test('a connection that is closed, reset, or says nothing', async () => {
    const closing = await tcpServer((socket) => socket.end());
    expect(await ask(closing, { protocol: 'tcp' })).toEqual({
      kind: 'blocked',
      reason: 'the connection was closed without an answer',
    });
    const resetting = await tcpServer((socket) => socket.resetAndDestroy());
    expect(await ask(resetting, { protocol: 'tcp' })).toEqual({
      kind: 'blocked',
      reason: 'the connection was reset (ECONNRESET)',
    });
    const silent = await tcpServer(() => undefined);
    expect(await ask(silent, { protocol: 'tcp', timeoutMs: 100 })).toEqual({
      kind: 'timed-out',
      timeoutMs: 100,
    });
    await vi.waitFor(() => expect(silent.open()).toBe(0));
    const half = await tcpServer((socket, question) => {
      socket.end(framed(answer(question, two)).subarray(0, 20));
    });
    expect(await ask(half, { protocol: 'tcp' })).toMatchObject({ kind: 'blocked' });
    const wrong = await tcpServer((socket) => socket.end(framed(Buffer.alloc(20))));
    expect(await ask(wrong, { protocol: 'tcp' })).toMatchObject({ kind: 'wrong-answer' });
  });
});

describe('over TLS', () => {
  const authority = createAuthority('resolvers');

  test('an unknown certificate, and a server that speaks plain DNS', async () => {
    const certified = authority.issue({ commonName: 'dns', hosts: ['127.0.0.1'] });
    const place = await tcpServer(
      (socket, question) => socket.write(framed(answer(question, two))),
      certified,
    );
    expect(await ask(place, { protocol: 'tls' })).toEqual({
      kind: 'wrong-answer',
      reason: expect.stringMatching(/^its certificate is not trusted \(\w+\)$/),
    });
    const plain = await tcpServer((socket) => socket.end('plain text, and nothing else\n'));
    expect(await ask(plain, { protocol: 'tls' })).toEqual({
      kind: 'wrong-answer',
      reason: expect.stringMatching(/^it does not speak TLS \(\w+\)$/),
    });
  });

  test('a certificate has to be for the address, or for the name that is given', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'ca.pem'), authority.certificate);
    const serve = (hosts: readonly string[]) =>
      tcpServer(
        (socket, question) => socket.write(framed(answer(question, two))),
        authority.issue({ commonName: 'dns', hosts }),
      );
    const [byAddress, byName] = [await serve(['127.0.0.1']), await serve(['dns.example'])];
    const question = { protocol: 'tls', name, type: 'A', timeoutMs: 3000 } as const;
    const questions = [
      { ...question, server: '127.0.0.1', port: byAddress.port },
      { ...question, server: '127.0.0.1', port: byName.port, serverName: 'dns.example' },
      { ...question, server: '127.0.0.1', port: byName.port },
    ];
    // Only a new process takes an authority of the test's own.
    const answers = JSON.parse(await askInChild(questions, { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') }));
    expect(answers).toEqual([
      expect.objectContaining({ kind: 'answered', code: 'NOERROR' }),
      expect.objectContaining({ kind: 'answered', code: 'NOERROR' }),
      {
        kind: 'wrong-answer',
        reason: 'its certificate is not for 127.0.0.1 (ERR_TLS_CERT_ALTNAME_INVALID)',
      },
    ]);
  });
});

test('after the answer, or without one, nothing keeps the process', async () => {
  const place = await udpServer(() => []);
  const silent = await tcpServer(() => undefined);
  const question = { name, type: 'A', timeoutMs: 50 } as const;
  const startedAt = Date.now();
  const said = await askInChild([
    { ...question, server: place.server, port: place.port, protocol: 'udp' },
    { ...question, server: silent.server, port: silent.port, protocol: 'tcp' },
    { ...question, server: '127.0.0.9', port: 9, protocol: 'udp' },
  ]);
  expect(JSON.parse(said).map(({ kind }: { kind: string }) => kind)).toEqual([
    'timed-out',
    'timed-out',
    'blocked',
  ]);
  expect(Date.now() - startedAt).toBeLessThan(4000);
});

/** In a process of its own, which has to end by itself. */
async function askInChild(questions: readonly DnsQuestion[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const module = fileURLToPath(new URL('../../src/host/ask-dns.ts', import.meta.url));
  const program = `
    const { askDns } = await import(${JSON.stringify(module)});
    console.log(JSON.stringify(await Promise.all(${JSON.stringify(questions)}.map(askDns))));`;
  const args = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    timeout: 8000,
    env: { ...process.env, ...env },
  });
  return stdout;
}
