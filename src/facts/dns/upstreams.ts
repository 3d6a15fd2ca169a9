export type { Answers } from './ask-servers.ts';
export { type Candidate, type Candidates, candidatesFact } from './candidates.ts';
export { type Upstream, type Upstreams, upstreamsFact } from './live-upstreams.ts';
export { isPublicResolver } from './public-resolvers.ts';
export { type UpstreamAnswers, upstreamAnswersFact } from './upstream-answers.ts';
