import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { startHauntedNode } from '../ghosts/haunted-node.ts';

/** As UFW writes them where forwarding is rejected and port 22 is limited; beside kube-proxy's. */
const ufwRules = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:ufw-user-input - [0:0]
:ufw-user-limit - [0:0]
:ufw-user-limit-accept - [0:0]
:ufw-reject-forward - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -j ufw-user-input
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A FORWARD -j ufw-reject-forward
-A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable
-A ufw-user-input -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name DEFAULT --mask 255.255.255.255 --rsource
-A ufw-user-input -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 --name DEFAULT --mask 255.255.255.255 --rsource -j ufw-user-limit
-A ufw-user-input -p tcp -m tcp --dport 22 -j ufw-user-limit-accept
-A ufw-user-limit -j REJECT --reject-with icmp-port-unreachable
-A ufw-user-limit-accept -j ACCEPT
COMMIT
`;

it('docs/trace.md shows what the program prints', async () => {
  const page = await readFile(new URL('../../../docs/trace.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/```\n\$ doctor (trace .*)\n([\s\S]*?)```/g)];
  expect(examples.length).toBeGreaterThan(2);
  await using node = await startHauntedNode();
  await node.restore('nft', 'ipv4', ufwRules, { noFlush: true });

  for (const [, command = '', shown] of examples) {
    const { stdout, stderr } = await node.doctor(command.split(' '));
    expect({ stdout, stderr }).toEqual({ stdout: shown, stderr: '' });
  }
});
