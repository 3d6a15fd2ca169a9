import type { Backend } from '../node/ruleset-text.ts';
import type { LabNode } from '../node/start-node.ts';

/** Adds rules of other programs and of the operator, in every table that Kubernetes uses too. */
export async function addForeignRules(node: LabNode, backend: Backend): Promise<void> {
  await node.restore(backend, 'ipv4', foreignRules, { noFlush: true });
}

const foreignRules = `*mangle
:KUBE - [0:0]
-A PREROUTING -j KUBE
COMMIT
*filter
:DOCKER-USER - [0:0]
:cali-FORWARD - [0:0]
:my-rules - [0:0]
:ufw-before-input - [0:0]
-A INPUT -j ufw-before-input
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -j my-rules
-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -j RETURN
-A cali-FORWARD -m comment --comment "cali:vjrMJCRpqwy5oRoX" -j MARK --set-xmark 0x0/0xe0000
-A my-rules -s 203.0.113.0/24 -m comment --comment "\\"kube\\" is not what this is about" -j DROP
-A ufw-before-input -i lo -j ACCEPT
COMMIT
*nat
:CNI-5f3e0b2b6e4c41a7c0d2f1aa - [0:0]
:DOCKER - [0:0]
:my-forwards - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A PREROUTING -d 203.0.113.9/32 -j my-forwards
-A POSTROUTING -s 10.88.0.0/16 -m comment --comment "name: \\"podman\\" id: \\"d1b0\\"" -j CNI-5f3e0b2b6e4c41a7c0d2f1aa
-A CNI-5f3e0b2b6e4c41a7c0d2f1aa ! -d 224.0.0.0/4 -m comment --comment "name: \\"podman\\" id: \\"d1b0\\"" -j MASQUERADE
-A DOCKER -p tcp -m tcp --dport 8443 -j DNAT --to-destination 172.17.0.2:443
-A my-forwards -p tcp -m tcp --dport 443 -j DNAT --to-destination 192.168.60.2:443
COMMIT
`;
