// The page's own words in Korean and English, and how it writes times.

const KOREAN = {
  bot: "봇", channel: "채널", connecting: "연결 중…", typing: "입력 중…", edited: "수정됨", photo: "사진",
  placeholder: "메시지", menu: "명령 목록", send: "보내기", close: "닫기", accept: "확인", marketTime: "장 시각",
  readOnly: "채널에서는 읽기만 할 수 있습니다", unread: "읽지 않은 메시지", latest: "맨 아래로", newMessages: (n) => `새 메시지 ${n}개`,
  emptyTitle: "봇과 대화를 시작하세요", empty: "명령을 입력하거나\n시작을 누르세요.", start: "시작",
  emptyChannelTitle: "아직 글이 없습니다", emptyChannel: "알림이 발생하면 여기에 표시됩니다.",
  enlarge: "사진 크게 보기", failed: "전송하지 못했습니다. 다시 시도해 주세요.", today: "오늘", yesterday: "어제", you: "나",
};

const ENGLISH = {
  bot: "bot", channel: "channel", connecting: "connecting…", typing: "typing…", edited: "edited", photo: "Photo",
  placeholder: "Message", menu: "Commands", send: "Send", close: "Close", accept: "OK", marketTime: "Market",
  readOnly: "Channels are for reading", unread: "Unread messages", latest: "Go to the end", newMessages: (n) => `${n} new message${n === 1 ? "" : "s"}`,
  emptyTitle: "Start a conversation", empty: "Type a command\nor press Start.", start: "Start",
  emptyChannelTitle: "Nothing here yet", emptyChannel: "Alerts appear here as they happen.",
  enlarge: "Enlarge the picture", failed: "That could not be sent. Please try again.", today: "Today", yesterday: "Yesterday", you: "You",
};

export const isKorean = navigator.language.toLowerCase().startsWith("ko");
export const words = isKorean ? KOREAN : ENGLISH;

const locale = isKorean ? "ko-KR" : navigator.language;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayName = new Intl.DateTimeFormat(locale, { month: "long", day: "numeric", weekday: "long" });
const shortDay = new Intl.DateTimeFormat(locale, { month: "numeric", day: "numeric" });
const market = new Intl.DateTimeFormat(locale, {
  timeZone: "Asia/Seoul", month: "numeric", day: "numeric", weekday: "short",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

export const timeOf = (at) => clock.format(at);
export const dayOf = (at) => new Date(at).toDateString();

export function dayLabel(at) {
  const now = new Date();
  if (dayOf(at) === now.toDateString()) return words.today;
  now.setDate(now.getDate() - 1);
  return dayOf(at) === now.toDateString() ? words.yesterday : dayName.format(at);
}

export const listTime = (at) => (dayOf(at) === new Date().toDateString() ? timeOf(at) : shortDay.format(at));

/** A market time that is an ISO time with an offset is shown in Seoul time; any other text as it is. */
export function marketTime(text) {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
  return isTime ? market.format(new Date(text)) : text;
}
