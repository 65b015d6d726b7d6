from django.urls import path

from portal.views import browse, elder, need, track

app_name = "portal"

urlpatterns = [
    path("", browse.home, name="home"),
    path("elder/", elder.elder, name="elder"),
    path("topics/", browse.topics, name="topics"),
    path("choose/", browse.choose, name="choose"),
    path("choose/<str:code>/", browse.choose_community, name="choose-community"),
    path("c/<str:code>/", browse.community, name="community"),
    path("item/<str:number>/", browse.item, name="item"),
    path("need/", need.start, name="need"),
    path("need/check/", need.check, name="need-check"),
    path("need/done/", need.done, name="need-done"),
    path("need/<slug:step>/", need.step, name="need-step"),
    path("track/", track.track, name="track"),
    path("track/ticket/", track.ticket, name="ticket"),
    path("track/rate/", track.rate, name="rate"),
]
