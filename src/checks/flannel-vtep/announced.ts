import { unrepaired } from '../../engine/judged.ts';
import { annotation, type Judge, problem } from './seen.ts';

/** Two nodes that announce one address: each takes the other's packets. */
export const judgeTwin: Judge = (seen) => {
  const { peer, nodes } = seen;
  const same = nodes.nodes.filter(
    ({ flannel }) => peer.tunnelAddress !== undefined && flannel.publicIp === peer.tunnelAddress,
  );
  if (same.length < 2) return [];
  const names = same.map(({ name }) => name).join(' and ');
  return [
    unrepaired(
      problem(seen, 'vtep-shared', `${names} announce the same tunnel address ${peer.tunnelAddress}`, [
        { source: annotation('public-ip'), observed: `${peer.tunnelAddress} at ${names}` },
      ]),
      'start k3s on one of them with --flannel-iface or --node-external-ip so that each has its own',
    ),
  ];
};

/** k3s sets the annotation from its flags, and never takes it away again. */
export const judgeOverwrite: Judge = (seen) => {
  const { node } = seen.peer;
  const { publicIpOverwrite } = node.flannel;
  if (seen.overlay.family !== 'ipv4' || publicIpOverwrite === undefined) return [];
  const own = [...node.externalAddresses, ...node.internalAddresses];
  if (own.includes(publicIpOverwrite)) return [];
  const message = `${node.name} is told to announce ${publicIpOverwrite}, which is none of its addresses any more`;
  return [
    unrepaired(
      problem(seen, 'vtep-stale-overwrite', message, [
        {
          source: annotation('public-ip-overwrite'),
          observed: publicIpOverwrite,
          expected: own.length > 0 ? `one of ${own.join(', ')}` : 'none',
        },
      ]),
      `kubectl annotate node ${node.name} flannel.alpha.coreos.com/public-ip-overwrite- and then restart k3s there`,
    ),
  ];
};
