import { runEra } from './run-oracle.ts';

const [kind = 'random', from = '1', count = '10', precedence = 'nft', shrink = '3', packets = '40'] =
  process.argv.slice(2);
const t = performance.now();
const r = await runEra({
  kind: kind as 'random',
  seeds: Array.from({ length: +count }, (_, i) => +from + i),
  precedence: `${precedence as 'nft'} first`,
  shrink: +shrink,
  packets: +packets,
});
const { disagreements, ...rest } = r;
for (const [i, d] of disagreements.entries())
  console.log(
    `\n##### seed ${d.seed} packet ${d.index}: ${d.what}\n${i < +shrink ? d.text.slice(0, 6000) : ''}`,
  );
console.log(rest, disagreements.length, 'disagreements', Math.round(performance.now() - t), 'ms');
