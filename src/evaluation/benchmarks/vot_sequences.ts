/**
 * Sequences of the VOT challenges (votchallenge.net): short-term of 2016 to 2019, long-term of 2018.
 *
 * @module
 */

const vot2016 = `
  bag ball1 ball2 basketball birds1 birds2 blanket bmx bolt1 bolt2 book butterfly car1 car2
  crossing dinosaur fernando fish1 fish2 fish3 fish4 girl glove godfather graduate gymnastics1
  gymnastics2 gymnastics3 gymnastics4 hand handball1 handball2 helicopter iceskater1 iceskater2
  leaves marching matrix motocross1 motocross2 nature octopus pedestrian1 pedestrian2 rabbit
  racing road shaking sheep singer1 singer2 singer3 soccer1 soccer2 soldier sphere tiger traffic
  tunnel wiper
`;

/** Those of 2017, too. */
const vot2018 = `
  ants1 ants3 bag ball1 ball2 basketball birds1 blanket bmx bolt1 bolt2 book butterfly car1
  conduction1 crabs1 crossing dinosaur drone_across drone_flip drone1 fernando fish1 fish2 fish3
  flamingo1 frisbee girl glove godfather graduate gymnastics1 gymnastics2 gymnastics3 hand
  handball1 handball2 helicopter iceskater1 iceskater2 leaves matrix motocross1 motocross2 nature
  pedestrian1 rabbit racing road shaking sheep singer2 singer3 soccer1 soccer2 soldier tiger
  traffic wiper zebrafish1
`;

const vot2019 = `
  agility ants1 ball2 ball3 basketball birds1 bolt1 book butterfly car1 conduction1 crabs1
  dinosaur dribble drone1 drone_across drone_flip fernando fish1 fish2 flamingo1 frisbee girl
  glove godfather graduate gymnastics1 gymnastics2 gymnastics3 hand hand2 handball1 handball2
  helicopter iceskater1 iceskater2 lamb leaves marathon matrix monkey motocross1 nature
  pedestrian1 polo rabbit rabbit2 road rowing shaking singer2 singer3 soccer1 soccer2 soldier
  surfing tiger wheel wiper zebrafish1
`;

const longTerm = `
  ballet bicycle bike1 bird1 car1 car3 car6 car8 car9 car16 carchase cat1 cat2 dragon following
  freestyle group1 group2 group3 liverRun longboard nissan person2 person4 person5 person7
  person14 person17 person19 person20 rollerman skiing tightrope uav1 yamaha
`;

/** Names of the sequences of each challenge. */
export const VOT_SEQUENCES = {
  VOT2016: words(vot2016),
  VOT2017: words(vot2018),
  VOT2018: words(vot2018),
  VOT2019: words(vot2019),
  "VOT2018-LT": words(longTerm),
} as const satisfies Record<string, readonly string[]>;

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
