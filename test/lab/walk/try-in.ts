import { openLaboratory, runTool } from './laboratory.ts';
import { openEra } from './era.ts';
import { randomScenario } from './scenario.ts';
import { serveAll } from './serve.ts';
await serveAll();
const lab = openLaboratory({ node: 'walked', underlay: 'underlay', outside: 'outside' }, 0);
const era = openEra(lab, 'nft first');
const numbers = { frame: 1, port: 62000, markedPort: 61000 };
const fates: Record<string, number> = {};
for (let round = 0; round < Number(process.argv[2] ?? 30); round++) {
  const scenario = randomScenario(round, 60, numbers);
  const t = performance.now();
  try {
  const trial = await era.try(scenario.rules, scenario.probes);
  for (const s of trial.sightings) fates[s.fate] = (fates[s.fate] ?? 0) + 1;
  } catch (e) { console.log(round, String(e).slice(0, 300));
    const m = /^Error: (ip6?tables)-(legacy|nft)-restore/.exec(String(e));
    if (m) { const f = m[1] === 'iptables' ? 'ipv4' : 'ipv6'; const dump = scenario.rules.iptables[m[2] as 'nft'][f];
      let lines = [...dump];
      for (let i = 0; i < lines.length; i++) { const line = lines[i] ?? ''; if (!line.startsWith('-A')) continue;
        const without = lines.filter((_, k) => k !== i);
        let fails = true; try { await runTool([`${m[1]}-${m[2]}-restore`], without.join('\n') + '\n'); fails = false; } catch (e) {}
        if (fails) { lines = without; i--; } }
      console.log(lines.join('\n'));
      await runTool([`${m[1]}-${m[2]}-restore`], ['raw','mangle','nat','filter','security'].flatMap((t)=>['*'+t,'COMMIT']).join('\n') + '\n');
    } }
  if (round < 5) console.log('round', performance.now() - t);
}
console.log(fates);
await lab[Symbol.asyncDispose](); process.exit(0);
