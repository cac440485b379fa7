/** The 100 sequences of Need for Speed (Kiani Galoogahi et al., ICCV 2017). */
const names = `
  Gymnastics MachLoop_jet Skiing_red Skydiving airboard_1 airplane_landing airtable_3
  basketball_1 basketball_2 basketball_3 basketball_6 basketball_7 basketball_player
  basketball_player_2 beach_flipback_person bee biker_acrobat biker_all_1 biker_head_2
  biker_head_3 biker_upper_body biker_whole_body billiard_2 billiard_3 billiard_6 billiard_7
  billiard_8 bird_2 book bottle bowling_1 bowling_2 bowling_3 bowling_6 bowling_ball bunny
  car car_camaro car_drifting car_jumping car_rc_rolling car_rc_rotating car_side car_white
  cheetah cup cup_2 dog dog_1 dog_2 dog_3 dogs dollar drone ducks_lake exit first flower
  footbal_skill helicopter horse_jumping horse_running iceskating_6 jellyfish_5 kid_swing
  motorcross motorcross_kawasaki parkour person_scooter pingpong_2 pingpong_7 pingpong_8
  purse rubber running running_100_m running_100_m_2 running_2 shuffleboard_1 shuffleboard_2
  shuffleboard_4 shuffleboard_5 shuffleboard_6 shuffletable_2 shuffletable_3 shuffletable_4
  ski_long soccer_ball soccer_ball_2 soccer_ball_3 soccer_player_2 soccer_player_3 stop_sign
  suv tiger walking walking_3 water_ski_2 yoyo zebra_fish
`;

/** Names of the sequences, in both frame rates. */
export const NFS_SEQUENCES: readonly string[] = names.trim().split(/\s+/);
